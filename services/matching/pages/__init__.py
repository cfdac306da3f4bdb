"""The pages of matching: behind mailed links, and for coordinators who have signed in."""
