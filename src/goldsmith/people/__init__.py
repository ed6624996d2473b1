"""Who did something: people, and the keys with which programs act for them. Knows no step of the loop."""
