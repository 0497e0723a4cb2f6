-- Nothing lost: rows in = accepted + quarantined, for every file of every night.
select
    night_on,
    source,
    file,
    entity,
    rows_in,
    rows_accepted,
    rows_quarantined
from {{ ref('mart_data_quality') }}
where status = 'accepted' and (rows_in is null or rows_in <> rows_accepted + rows_quarantined)
