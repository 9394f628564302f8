"""A DHT of three nodes that are not ours: libtorrent's. One of them is told what to do by lines of JSON.

The first line on standard output is where the DHT is joined. From then on each line on standard input is
a request, each line on standard output its answer. Bytes are in hexadecimal.
"""
import hashlib
import json
import socket
import sys
import time

import libtorrent

# Seconds; a node that does not answer holds up a search for ten or more.
PATIENCE = 25


def start(bootstrap):
    # Everything is on one address, which its defences would take for an attack.
    return libtorrent.session({
        "listen_interfaces": "127.0.0.1:0",
        "enable_dht": True,
        "dht_bootstrap_nodes": bootstrap,
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_prefer_verified_node_ids": False,
        "dht_enforce_node_id": False,
        "dht_ignore_dark_internet": False,
        "dht_block_ratelimit": 10000,
        "dht_upload_rate_limit": 1000000,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "alert_mask": 0x7FFFFFFF,
    })


first = start("")
while first.listen_port() == 0:
    time.sleep(0.01)
address = f"127.0.0.1:{first.listen_port()}"
second = start(address)
session = start(address)
print(json.dumps(address), flush=True)


def alerts(kind, seconds):
    """Those of a kind that come within a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        session.wait_for_alert(100)
        for alert in session.pop_alerts():
            if type(alert).__name__ == kind:
                yield alert


def get(key, salt):
    session.dht_get_mutable_item(bytes.fromhex(key), salt.encode())
    found = None
    for alert in alerts("dht_mutable_item_alert", PATIENCE):
        if alert.key.hex() != key or alert.salt not in (salt, salt.encode()):
            continue
        try:
            found = {"seq": alert.seq, "value": alert.item["value"].hex()}
        except RuntimeError:
            # There is none.
            pass
        if alert.authoritative:
            break
    return found


def put(seed, key, salt, value):
    secret = bytearray(hashlib.sha512(bytes.fromhex(seed)).digest())
    secret[0] &= 248
    secret[31] = secret[31] & 63 | 64
    session.dht_put_mutable_item(bytes(secret), bytes.fromhex(key), bytes.fromhex(value), salt.encode())
    for alert in alerts("dht_put_alert", PATIENCE):
        return alert.num_success
    return 0


def peers(hash):
    session.dht_get_peers(libtorrent.sha1_hash(bytes.fromhex(hash)))
    found = set()
    for alert in alerts("dht_get_peers_reply_alert", 2):
        found.update(f"{host}:{port}" for host, port in alert.peers())
    return sorted(found)


def announce(hash, port):
    """As anybody may: Debian's Python cannot call libtorrent for it, so the nodes are told in BEP 5's words."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)

        def ask(node, query, **arguments):
            arguments |= {"id": bytes(20), "info_hash": bytes.fromhex(hash)}
            question = libtorrent.bencode({"t": b"aa", "y": b"q", "q": query, "a": arguments})
            udp.sendto(question, ("127.0.0.1", node.listen_port()))
            return libtorrent.bdecode(udp.recv(2048))[b"r"]

        for node in (first, second, session):
            token = ask(node, b"get_peers")[b"token"]
            ask(node, b"announce_peer", port=port, token=token)
    return True


COMMANDS = {"get": get, "put": put, "peers": peers, "announce": announce}

for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(COMMANDS[name](*arguments)), flush=True)
