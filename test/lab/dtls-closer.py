"""A DTLS server for one client, on the libssl of the system: closes the session when told.

dtls-closer.py CERT KEY: prints its port of 127.0.0.1, then "accepted" after the handshake; a line on
standard input has it send close_notify. `openssl s_server` cannot: it closes its socket first.
"""
import ctypes
import ctypes.util
import socket
import sys

ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
PEM = 1
P = ctypes.c_void_p


def call(library, name, result, *arguments):
    function = getattr(library, name)
    function.restype = result
    function.argtypes = [type(argument) for argument in arguments]
    value = function(*arguments)
    if not value:
        sys.exit(f"{name} failed")
    return value


cert, key = (ctypes.c_char_p(path.encode()) for path in sys.argv[1:])
context = P(call(ssl, "SSL_CTX_new", P, P(call(ssl, "DTLS_server_method", P))))
call(ssl, "SSL_CTX_use_certificate_chain_file", ctypes.c_int, context, cert)
call(ssl, "SSL_CTX_use_PrivateKey_file", ctypes.c_int, context, key, ctypes.c_int(PEM))

listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)

bio = P(call(crypto, "BIO_new_dgram", P, ctypes.c_int(listener.fileno()), ctypes.c_int(0)))
session = P(call(ssl, "SSL_new", P, context))
ssl.SSL_set_bio.argtypes = [P, P, P]
ssl.SSL_set_bio(session, bio, bio)
if call(ssl, "SSL_accept", ctypes.c_int, session) != 1:
    sys.exit("the handshake failed")
print("accepted", flush=True)
sys.stdin.readline()
ssl.SSL_shutdown.argtypes = [P]
ssl.SSL_shutdown(session)
sys.stdin.readline()
