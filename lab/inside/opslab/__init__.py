"""The lab's part inside the services: what they do beyond a fake, and what they write down."""
