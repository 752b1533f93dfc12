"""What the campus takes and gives: requests that are valid once they exist, and values that leave the room."""
