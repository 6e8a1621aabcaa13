"""Deploys init/template.yaml, on AWS and on emulators, and deletes what was deployed."""
