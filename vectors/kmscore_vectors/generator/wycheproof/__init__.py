"""The files in the form of Project Wycheproof, for implementations without our blob."""
