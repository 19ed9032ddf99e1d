#!/usr/bin/env python3
"""Takes pictures of every view of the dashboard, light, dark and on a phone: screenshots.py PROGRAM FOLDER

Starts the demo, and a headless Chromium driven by the DevTools protocol over a pair of pipes.
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

VIEWS = ["now", "markets", "events", "dead-letters"]
LOOKS = [("light", "light", 1440, 900), ("dark", "dark", 1440, 900), ("phone", "light", 390, 844)]
# The candles and the log fill for a while, and each page then collects some seconds of its own.
WARM_UP = float(os.environ.get("SCREENSHOT_WARMUP", "150"))
LOOK_AT = 8


class Browser:
    def __init__(self, path, profile):
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()

        def place():
            # Chromium reads requests from descriptor 3 and writes to 4. Copies first: one may stand on the other's place.
            reading, writing = os.dup(to_read), os.dup(to_write)
            high = os.dup2(reading, 100), os.dup2(writing, 101)
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [path, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.read, self.number, self.session = b"", 0, None

    def ask(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            while b"\0" not in self.read:
                piece = os.read(self.back, 1 << 20)
                if not piece:
                    sys.exit("The browser ended.")
                self.read += piece
            message, self.read = self.read.split(b"\0", 1)
            answer = json.loads(message)
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']['message']}")
                return answer["result"]


def main(program, folder):
    names = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"]
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        sys.exit("No Chromium here: install chromium to take the screenshots.")
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        demo = subprocess.Popen([program, "demo", "--listen", "127.0.0.1:0", "--quiet"], stdout=subprocess.PIPE, text=True)
        browser = None
        try:
            address = None
            for line in demo.stdout:
                if found := re.match(r"listening on (\S+)", line):
                    address = found[1]
                    break
            if address is None:
                sys.exit("The demo did not start.")
            time.sleep(WARM_UP)
            browser = Browser(path, profile)
            target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
            browser.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for look, scheme, width, height in LOOKS:
                browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                            mobile=look == "phone")
                for view in VIEWS:
                    # A page of its own each time: another hash alone would only switch the view.
                    browser.ask("Page.navigate", url="about:blank")
                    browser.ask("Page.navigate", url=f"http://{address}/#/{view}")
                    time.sleep(LOOK_AT)
                    picture = os.path.join(folder, f"{view}-{look}.png")
                    with open(picture, "wb") as file:
                        file.write(base64.b64decode(browser.ask("Page.captureScreenshot", format="png")["data"]))
                    print(picture)
        finally:
            if browser:
                browser.process.kill()
                browser.process.wait()
            demo.terminate()
            demo.wait()


if len(sys.argv) != 3:
    sys.exit(__doc__)
main(*sys.argv[1:])
