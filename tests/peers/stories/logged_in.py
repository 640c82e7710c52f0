"""An exchange in a branch, which has no address anybody knows: it registers with a password and is called where it is, and its own calls
count as its trunk's because of the password. The exchange is sipp."""

from harness import PORTS, Phone, Sipp, check, until

SECRET = "branch-secret"
NUMBER = "+17135550123"


def tell(world):
    carrier = '      carrier: {host: "127.0.0.1:9"}\n'
    branch = "      branch: {login: {username: branch, password_secret: branch}, from: [127.0.0.1]}\n"
    route = '      - {match: "90*"'
    to_branch = '      - {match: "+1713*", to: {trunk: {trunk: branch}}}\n'
    server = world.server(replace={carrier: carrier + branch, route: to_branch + route}, env={"RINGDESK_SECRET_BRANCH": SECRET})
    line = lambda: server.api.get("/api/v1/trunks")["branch"]
    anna = Phone(server, "anna")
    server.ready("anna")
    check(line()["registration"] == "not_registered", f"before anybody came: {line()}")
    port = PORTS.one()
    marks = {"@USER@": "branch", "@SECRET@": SECRET, "@PORT@": str(port), "@DIGITS@": NUMBER.lstrip("+")}
    for n, transport in enumerate(("u1", "t1")):
        # It is called where its REGISTER came from: all runs have the same port, one after the other.
        Sipp(server, "register", "branch", marks=marks, port=port).end()
        until("the exchange is registered", lambda: line()["registration"] == "registered")
        exchange = Sipp(server, "exchange", "branch", stays_ms=1500, marks=marks, port=port)
        since = anna.mark()
        server.api.post("/api/v1/agents/anna/dial", {"number": NUMBER})
        anna.accept(since)
        until("they talk", lambda: [r for r in server.live() if r["stage"] == "talking"])
        exchange.end()
        anna.wait("CALL_CLOSED", since=since)
        server.wait_state("anna", "ready", seconds=70, work=[])
        check(line()["answered"] == n + 1, f"the call out did not go by the exchange: {line()}")

        caller = f"+1713555900{n}"
        since = anna.mark()
        call = Sipp(server, "branch", "4201", caller=caller, stays_ms=1500, transport=transport, marks=marks, port=port, auth_uri=f"4201@{server.address}")
        anna.accept(since)
        server.wait_contact(caller, "talking")
        call.end()
        anna.wait("CALL_CLOSED", since=since)
        server.wait_state("anna", "ready", seconds=70, work=[])
        check(line()["incoming"] == n + 1, f"the call in did not count as the exchange's: {line()}")
    m = server.metrics()
    check(m["ringdesk_sip_auth_failures_total"] == 0, "a password was refused")
    server.wait_empty()
