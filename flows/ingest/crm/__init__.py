"""Live CRMs: what changed in one since the last recorded night is pulled, page by page, into landing.

Start reading at `protocol` (what a connector is), `http` (one session with a vendor), `landed` (the folder of one
source and night), `earlier` (what the nights before left) and `pull` (the order of it all). Each vendor has a module
or a folder of its own; `registry` names them.
"""
