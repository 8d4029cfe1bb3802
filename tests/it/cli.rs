//! What a user sees: help, errors, exit codes, pages.
