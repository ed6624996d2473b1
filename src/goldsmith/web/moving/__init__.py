"""What was kept at OpenAI: look at the files, bring in what can be brought, see what came of it."""
