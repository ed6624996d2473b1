"""Other programs are told when something ends: signed, retried, and only where a person has said."""
