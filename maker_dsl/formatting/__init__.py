"""The one canonical layout of a `.maker` file: what `maker fmt` writes."""
