"""The API: requests in, answers out, as AWS words them."""
