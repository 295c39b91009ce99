"""maker: a language and an engine for long LLM processes without errors."""
