//! What callers hear.
