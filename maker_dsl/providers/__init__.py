"""The way to models: profiles that say which, ports that speak to them, and the gateway that every call passes.

The engine sees `port` (a model), `gateway` (calls) and `ledger` (what they cost); the command line also `profiles` and
`open`.
"""
