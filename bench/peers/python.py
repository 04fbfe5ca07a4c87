"""The benchmark's works with Python's http.client, one connection being kept. Prints what client.lua prints.

python.py ping|form COUNT SERVICE-URI
"""

import http.client
import json
import sys
import time
from urllib.parse import urlsplit

PONG = b'{"response":{"_retVal":""}}'
FORM = "j_username=lua&j_password=secret&submit=Submit"

work, count, uri = sys.argv[1], int(sys.argv[2]), urlsplit(sys.argv[3])
connection = http.client.HTTPConnection(uri.hostname, uri.port)


def fetch(path, cookie=None, form=None):
    headers = {"Accept": "application/json", "Cache-Control": "no-cache", "Pragma": "no-cache"}
    if cookie:
        headers["Cookie"] = cookie
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("POST" if form else "GET", uri.path + path, form, headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(path)
    return body, answer


def ping(cookie=None):
    if fetch("/rest/_oepingService/_oeping", cookie)[0] != PONG:
        raise SystemExit("not a pong")


def form():
    answer = fetch("/static/auth/j_spring_security_check", None, FORM)[1]
    cookie = answer.getheader("Set-Cookie").split(";")[0]
    fetch("/static/home.html", cookie)
    if len(json.loads(fetch("/static/catalog.json", cookie)[0])["services"]) != 1:
        raise SystemExit("not the catalog's service")
    ping(cookie)
    fetch("/static/auth/j_spring_security_logout", cookie)


unit = {"ping": ping, "form": form}[work]
if work == "ping":
    fetch("/static/home.html")
unit()
start = time.process_time()
for _ in range(count):
    unit()
each = (time.process_time() - start) * 1e6 / count
with open("/proc/self/status", encoding="ascii") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(f"{each:.3f} {peak}")
