"""Kernels: how they are started (provisioner), what runs in them (worker), how they are driven (session)."""
