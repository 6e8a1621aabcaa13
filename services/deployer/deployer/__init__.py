"""The container that checks all settings and deploys, in Docker Compose."""
