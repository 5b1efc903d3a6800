#!/usr/bin/env python3
"""Looks at the status page through a headless chromium and says what is wrong with it; ends with 1 if anything is.

    Tests/Page/check_page.py                                  scripted answers of api/status
    Tests/Page/check_page.py --only hostile                   one of the checks
    Tests/Page/check_page.py --binary .build/debug/penstock   those, and services that it starts, stops and kills
    Tests/Page/check_page.py --url http://127.0.0.1:9464/     a service that runs (--token-file, if it wants a token)
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import running_checks
import scripted_checks
from browser import Browser, BrowserError
from checks import Checks
from running_service import ServiceError


def main():
    names = [check.__name__ for check in (*scripted_checks.ALL, running_checks.started)]
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", help="penstock: services that run are looked at too")
    arguments.add_argument("--url", help="a service that runs; nothing else then")
    arguments.add_argument("--token-file", help="with --url: holds the token that it wants")
    arguments.add_argument("--only", choices=names)
    arguments.add_argument("--times", action="store_true", help="how long each check takes")
    given = arguments.parse_args()
    wanted = [(check, ()) for check in scripted_checks.ALL]
    if given.binary:
        wanted.append((running_checks.started, (os.path.abspath(given.binary),)))
    if given.url:
        wanted = [(running_checks.any_service, (given.url.rstrip("/") + "/", given.token_file))]
    elif given.only:
        wanted = [(check, more) for check, more in wanted if check.__name__ == given.only]
    begun = time.monotonic()
    try:
        with Browser() as browser:
            checks = Checks(browser)
            for check, more in wanted:
                checks.name = check.__name__
                checked = time.monotonic()
                check(checks, *more)
                if given.times:
                    print(f"{checks.name}: {time.monotonic() - checked:.1f} s", flush=True)
    except (BrowserError, ServiceError, OSError, ValueError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    what = "scripted answers and a running service" if given.binary and not given.only else "a running service" if given.url else "scripted answers"
    print(f"status page, in headless chromium: {checks.made} claims of {what}, {checks.failed} do not hold; {time.monotonic() - begun:.0f} s")
    return 1 if checks.failed or not checks.made else 0


if __name__ == "__main__":
    sys.exit(main())
