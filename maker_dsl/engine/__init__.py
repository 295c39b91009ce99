"""The engine: carries out a compiled task step by step, by votes, durably.

Nothing is imported here, so that `theory` and `ballot` stay cheap. Where to begin:

start           start_run, resume_run, begin_run, reopen_run; ProviderSetup, World
settings        RunOptions and how they are settled; SettingsRefused
report          RunReport, Progress, Status; the ports Observer and RunHandle
inspection      read_status, explain_step, read_events
verification    verify_run
theory, ballot  the method's formulas; the vote on one step
run, step       the loop over steps; one step (kind: what all steps of a kind share; ledger: attempts as calls)
recorder, fold  journal first; the state of a run as a fold over its events (open_step, checkpoint: its parts)
records, origin the payloads of the journal's records; what a run is set to, as they say it
budget          limits that come before spending
"""
