"""One of several processes that all want the same slots at the same moments.

`python -m tests.races.contestant BEGIN guarded|bare START…`: in round n everybody books the n-th start.
`guarded` is the product's own way; `bare` does the same work without transaction and guard, which shows that
the race is real. Prints how many bookings were taken.
"""

import sys
import time
from datetime import UTC, datetime

ROUND_SECONDS = 0.12


def main() -> None:
    import django

    django.setup()
    from awase.models import BookingPage
    from awase.services import booking

    begin, way, starts = float(sys.argv[1]), sys.argv[2], [int(start) for start in sys.argv[3:]]
    page = BookingPage.objects.get()
    now = datetime.now(UTC)
    guest = booking.Guest(name="Guest", email="guest@example.org", language="en", time_zone="UTC")
    taken = 0
    for number, second in enumerate(starts):
        time.sleep(max(0.0, begin + number * ROUND_SECONDS - time.time()))
        request = booking.Request(start=datetime.fromtimestamp(second, UTC), guest=guest)
        try:
            if way == "guarded":
                booking.book(page, request, now)
            else:
                end = datetime.fromtimestamp(second + page.duration_minutes * 60, UTC)
                booking._write(page, request, end, (), now)
            taken += 1
        except booking.Refused:
            pass
    print(taken)


if __name__ == "__main__":
    main()
