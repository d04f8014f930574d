"""The command ``hosted-model``: what runs, who declares it, what it costs; and the way to stop it."""
