"""A mail server on loopback that does what it is told, for the tests of the mail adapter. It is aiosmtpd, with faults put in.

It prints its port, and ends when its standard input does. Each message that it takes becomes FOLDER/N.eml, as it came, and
FOLDER/N.json, as Python's own email package reads it; FOLDER/commands has the verbs that it was given.
"""

import argparse
import asyncio
import base64
import email
import email.policy
import functools
import json
import logging
import pathlib
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

FAULTS = {
    "greeting-554": "it takes nothing from this client",
    "mute": "it accepts the connection and says nothing",
    "slow": "it waits before each answer, but works",
    "garbage": "it greets in another protocol",
    "hides-starttls": "it does not offer STARTTLS, as behind somebody who takes the offer out",
    "starttls-454": "it offers STARTTLS and cannot do it now",
    "starttls-502": "it offers STARTTLS and refuses it",
    "starttls-closes": "it offers STARTTLS and closes the connection",
    "starttls-injects": "somebody in between adds answers in the clear behind the one to STARTTLS",
    "auth-454": "it cannot check passwords now",
    "auth-echo": "it refuses the password and repeats it",
    "mail-550": "it refuses the sender",
    "mail-451": "it refuses the sender for now",
    "rcpt-550": "it refuses all receivers",
    "rcpt-450": "it refuses all receivers for now",
    "one-550": "it refuses the receivers whose names begin with `refused`",
    "one-450": "it refuses these for now",
    "rcpt-421": "it closes the connection at the second receiver",
    "data-554": "it refuses DATA",
    "data-451": "it refuses DATA for now",
    "data-250": "it answers DATA as if it were done",
    "dies-in-data": "it closes the connection in the middle of the message",
    "stalls-in-data": "it reads no more in the middle of the message",
    "end-554": "it refuses the message",
    "end-451": "it refuses the message for now",
    "dies-after-end": "it takes the message and closes the connection before it says so",
    "mute-after-end": "it takes the message and never says so",
    "mute-at-quit": "it takes the message, says so, and does not answer QUIT",
}


def logged(verb):
    """A command's method that writes the verb down and gives it a fault."""
    method = getattr(SMTP, "smtp_" + verb)

    @functools.wraps(method)
    async def run(self, arg):
        with open(self.options.folder / "commands", "a", encoding="ascii") as commands:
            commands.write(verb + "\n")
        fault = self.options.fault
        if fault == "slow":
            await asyncio.sleep(0.1)
        if fault == "rcpt-421" and verb == "RCPT" and self.envelope.rcpt_tos:
            await self.push("421 4.3.2 shutting down")
            self.transport.close()
            return
        what, _, code = fault.rpartition("-")
        if what == verb.lower() and code.isdigit() and code != "421":
            await self.push(f"{code} told to say so at {verb}")
            return
        if verb == "DATA" and fault in ("dies-in-data", "stalls-in-data"):
            await self.push("354 go on")
            await self._reader.readline()
        if (verb, fault) in (("DATA", "stalls-in-data"), ("QUIT", "mute-at-quit")):
            await asyncio.sleep(3600)
        if (verb, fault) in (("STARTTLS", "starttls-closes"), ("DATA", "dies-in-data")):
            self.transport.abort()
            return
        await method(self, arg)

    return run


class Server(SMTP):
    """aiosmtpd's server with the faults that its handler cannot have."""

    def __init__(self, handler, options, **settings):
        self.options = options
        super().__init__(handler, **settings)

    async def _handle_client(self):
        fault = self.options.fault
        if fault == "mute":
            await asyncio.sleep(3600)
        elif fault == "garbage":
            self._writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            await asyncio.sleep(3600)
        elif fault == "greeting-554":
            await self.push("554 5.7.1 nothing from you")
            self.transport.close()
        else:
            await super()._handle_client()

    async def push(self, status):
        injects = self.options.fault == "starttls-injects"
        if injects and status == "220 Ready to start TLS":
            status += "\r\n250-forged\r\n250 AUTH PLAIN LOGIN\r\n235 forged\r\n250 forged\r\n250 forged"
        await super().push(status)


for name in ("EHLO", "STARTTLS", "AUTH", "NOOP", "MAIL", "RCPT", "DATA", "QUIT"):
    setattr(Server, "smtp_" + name, logged(name))


class Handler:
    """Keeps messages, and has the faults that aiosmtpd's hooks can have."""

    def __init__(self, options):
        self.options = options
        self.taken = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        fault = self.options.fault
        if fault in ("one-550", "one-450") and address.startswith("refused"):
            return f"{fault[-3:]} 5.1.1 <{address}> told\x1b[31m to say so"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        fault = self.options.fault
        if fault in ("end-554", "end-451"):
            return f"{fault[-3:]} told to say so at the end"
        self.keep(session, envelope)
        if fault == "dies-after-end":
            server.transport.abort()
        if fault == "mute-after-end":
            await asyncio.sleep(3600)
        return f"250 2.0.0 queued as {self.taken}"

    def keep(self, session, envelope):
        self.taken += 1
        raw = envelope.original_content
        message = email.message_from_bytes(raw, policy=email.policy.default)
        parts = [
            {
                "type": part.get_content_type(),
                "name": part.get_filename(),
                "encoding": part["Content-Transfer-Encoding"],
                "base64": base64.b64encode(part.get_payload(decode=True)).decode(),
            }
            for part in message.walk()
            if not part.is_multipart()
        ]
        about = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "private": session.ssl is not None or self.options.tls == "implicit",
            "user": session.auth_data,
            "hello": session.host_name,
            "headers": [[name, str(value)] for name, value in message.items()],
            "structure": [part.get_content_type() for part in message.walk()],
            "defects": [str(defect) for part in message.walk() for defect in part.defects],
            "parts": parts,
        }
        (self.options.folder / f"{self.taken}.eml").write_bytes(raw)
        (self.options.folder / f"{self.taken}.json").write_text(json.dumps(about), encoding="ascii")


def authenticator(options):
    def check(server, session, envelope, mechanism, data):
        given = f"{data.login.decode()}:{data.password.decode()}"
        if given == options.login and options.fault != "auth-echo":
            return AuthResult(success=True, auth_data=data.login.decode())
        words = f" {given} is" if options.fault == "auth-echo" else ""
        return AuthResult(success=False, handled=False, message=f"535 5.7.8{words} not right")

    return check


async def serve(options):
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    handler = Handler(options)
    settings = {"hostname": "server.test", "enable_SMTPUTF8": options.utf8, "data_size_limit": 64 * 1024 * 1024}
    if options.login:
        settings |= {
            "auth_required": True,
            "auth_require_tls": options.tls == "starttls",
            "authenticator": authenticator(options),
            "auth_exclude_mechanism": [m for m in ("PLAIN", "LOGIN") if options.mechanism not in (None, m)],
        }
    if options.tls == "starttls" and options.fault != "hides-starttls":
        settings |= {"tls_context": context, "require_starttls": True}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(handler, options, loop=loop, **settings),
        "127.0.0.1",
        0,
        ssl=context if options.tls == "implicit" else None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main():
    faults = "".join(f"\n  {name}: {what}" for name, what in FAULTS.items())
    arguments = argparse.ArgumentParser(
        description=__doc__, epilog="faults:" + faults, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    arguments.add_argument("--certificate", help="PEM file with the server's certificate")
    arguments.add_argument("--key", help="PEM file with its key")
    arguments.add_argument("--login", metavar="USER:PASSWORD", help="what a client must log in with")
    arguments.add_argument("--mechanism", choices=["PLAIN", "LOGIN"], help="the only one that is offered")
    arguments.add_argument("--utf8", action="store_true", help="offer SMTPUTF8")
    arguments.add_argument("--fault", choices=FAULTS, default="")
    # A login in the clear is what some of the tests are about.
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(arguments.parse_args()))


main()
