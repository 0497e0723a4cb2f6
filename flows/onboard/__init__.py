"""Onboarding: looks at an export and proposes the configuration that reads it; what the file does not tell is asked."""
