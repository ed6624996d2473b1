"""Addresses of OpenAI's API that Goldsmith answers itself: fine-tuning jobs, over our own trainings."""
