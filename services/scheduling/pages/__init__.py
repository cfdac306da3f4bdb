"""The pages of scheduling: behind mailed links, and for peers who have signed in."""
