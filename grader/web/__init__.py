"""The web service: learners hand in and read their reports, teachers see the class."""
