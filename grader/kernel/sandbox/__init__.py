"""What confines a job, one layer a file; each says what it guarantees, and what is not its part.

    namespaces   its own processes, network and IPC      filesystem  a root with nothing in it but what is shown
    identity     no privilege, a user of its own         ceilings    the kernel's limits on each process
    landlock     which files may be opened               seccomp     which system calls may be made
    cgroup       hard limits on the whole job            bubblewrap  another way to the first two

`view` says what is shown and what is hidden, `tiers` puts the layers together, in the one order that works.
Outside of a job stands its guardian (`grader.kernel.guardian`).
"""
