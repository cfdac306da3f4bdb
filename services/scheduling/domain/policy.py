"""The numbers a network may want otherwise, each with its meaning, in one place."""

from datetime import timedelta

# Nobody is offered, or books for themselves, a time that begins sooner than this.
LEAD_TIME = timedelta(hours=2)
# Choosing from a page takes a while: a time that was offered stays bookable that long.
TIME_TO_CHOOSE = timedelta(minutes=15)

DEFAULT_WINDOW = timedelta(days=14)
LONGEST_WINDOW = timedelta(days=62)
FURTHEST_AHEAD = timedelta(days=365)

STEP = timedelta(minutes=30)
DEFAULT_MINUTES = 50
SHORTEST_MINUTES = 15
LONGEST_MINUTES = 240

# A peer comes to rest, or travels, before the next session begins.
PEER_REST_AFTER = timedelta(minutes=10)

# Somebody has that long to say how a session went before it is called unresolved.
OUTCOME_AWAITED = timedelta(hours=24)

# Two who have not met for longer are spoken to, by an agreed plan and never as a reproach.
QUIET_AFTER = timedelta(days=21)

# A peer's time away. From so many days on everybody whom they meet is asked what they would like,
# and not only those with a session in it.
LONG_LEAVE = timedelta(days=7)
LONGEST_LEAVE = timedelta(days=366)
# A session for which nobody else was found is called off so long before it.
CALLED_OFF_BEFORE = timedelta(hours=24)
# How many peers who are free then are named to whoever looks for somebody to take a session.
FREE_PEERS_SHOWN = 5

TIMES_ON_A_PAGE = 12

# The contact log. A device's clock may be ahead of ours; what is long past nobody remembers well.
CLOCKS_DIFFER = timedelta(minutes=5)
LOGGED_WITHIN = timedelta(days=92)
LONGEST_CONTACT_MINUTES = 720
MOST_IN_A_GROUP = 100
# The unit that funders count, and from how many minutes on the last one counts: with 15 and 8,
# 7 minutes are none, 8 to 22 are one, 23 to 37 are two. Each contact is rounded by itself.
UNIT_MINUTES = 15
UNIT_LEAST_MINUTES = 8
# How far back sums of the log reach, where nobody says, and at most.
HOURS_SHOWN = timedelta(days=91)
LONGEST_HOURS = timedelta(days=366)
