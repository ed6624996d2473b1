"""Stars of another application that come in by themselves: at set times, or when somebody asks, as a job."""
