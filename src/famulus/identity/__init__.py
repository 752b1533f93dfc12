"""Identity: who is asking. Accounts, sign-in, sessions and the `Principal`; knows no organization's content."""
