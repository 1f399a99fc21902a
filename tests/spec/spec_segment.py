"""Sections 2 and 9 of spec/segment.md: a file as a whole. Finds the newest commit, names the tail,
goes back to every group, and names what is lost.
"""


import spec_frames as fr
from spec_column import Broken, need

HEAD_SEARCH = 64 << 20
SECTOR = 512


class Segment:
    """`data` is the whole file. `groups` are those that count, in the order of their rows; `faults`
    what is broken, as (offset, rows lost or None, text)."""

    def __init__(self, data):
        self.data, self.faults = data, []
        self.newest = self.commit = None
        self.commits, self.groups, self.schemas = [], [], [0]
        self.seen, self.padded = set(), set()  # commits, frames whose faults are named
        self.ahead = None, 0, 0
        self.open_head()
        self.salt = self.head.salt
        self.find_newest()
        if self.newest:
            self.collect()

    def fault(self, off, why, rows=None):
        self.faults.append((off, rows, str(why)))

    def padding(self, frame):
        """3.1-13: the payload is intact all the same."""
        try:
            fr.padding(self.data, frame)
        except Broken as e:
            if frame.off not in self.padded:
                self.fault(frame.off, e)
            self.padded.add(frame.off)

    # ---- 9-1, 9-2 -------------------------------------------------------------------------------

    def open_head(self):
        need(self.data, "9-1", "empty file")
        first = second = None
        try:
            first, frame = self.head_at(0)
        except Broken as e:
            if e.version:
                raise
            wrong = e
        if first:
            try:
                second, other = self.head_at(frame.end)
                need(fr.payload(self.data, frame) == fr.payload(self.data, other), "4.1-13",
                     "copies differ")
            except Broken as e:
                self.fault(frame.end, f"4.1-13 second HEAD: {e}")
            self.head, self.log = first, 2 * frame.span
            return
        for off in range(8, min(len(self.data), HEAD_SEARCH), 8):
            if self.data[off:off + 5] != fr.MAGIC + b"\x01":
                continue
            try:
                second, frame = self.head_at(off)
                need(frame.span == off, "9-2", "no second copy")
            except Broken as e:
                if e.version:
                    raise
                continue
            self.head, self.log = second, frame.end
            self.fault(0, f"4.1-13 first HEAD: {wrong}")
            return
        raise Broken("9-1", f"no sound HEAD: {wrong}")

    def head_at(self, off):
        frame = fr.frame_head(self.data, off, 0)
        need(frame.type == fr.HEAD, "9-2", "no HEAD")
        head = fr.head(fr.payload(self.data, frame))
        self.padding(frame)
        return head, frame

    # ---- 9-3 to 9-6 -----------------------------------------------------------------------------

    def trailer_at(self, at, copy=None):
        t = fr.trailer(self.data, at, self.salt)
        need(copy is None or t.copy == copy, "7.3-3", "copy in the place of the other")
        need(t.commit_off >= self.log, "7.3-4", "commit outside the log")
        return t

    def find_newest(self):
        limit, unclear = len(self.data), None
        while True:
            t = self.last_trailer(limit)
            if not t:
                break
            torn = self.check_newest(t)
            if not torn:
                break
            unclear = unclear or (torn, t.rows_total, t.groups_rows)
            limit = t.first_group
        self.newest = t
        if not t:
            self.fault(self.log, "9-4 no commit")
        end = t.end if t else self.log
        if end < len(self.data):
            if unclear:
                more = unclear[1] - (t.rows_total if t else 0)
                unclear = unclear[0], more if more > 0 else unclear[2]
            self.name_tail(end, unclear)

    def last_trailer(self, limit):
        """The sound trailer nearest to `limit` whose commit may end there, or behind the end of the
        file when only its second copy is cut off."""
        at = (limit - 64) // 8 * 8
        while at >= self.log:
            if self.data[at:at + 4] == b"EVST":
                try:
                    t = self.trailer_at(at)
                    if t.end <= limit or limit == len(self.data) and limit < at + 128:
                        return t
                except Broken:
                    pass
            at -= 8
        return None

    def check_newest(self, t):
        """9-5: the rule that makes the commit a torn one (None: it stands, perhaps damaged)."""
        self.commit = None
        before = list(self.faults)
        try:
            frame, self.commit = self.commit_at(t.commit_off, t.end)
            need(frame.span == t.commit_len, "7.3-6", "trailer and commit differ")
            at, end = t.commit_off, t.end
            if t.seq > 1:
                at = self.commit.prev_off + self.commit.prev_len
                while at < t.commit_off:
                    end = t.commit_off
                    frame = fr.frame_head(self.data, at, self.salt, t.commit_off)
                    end = frame.end
                    need(frame.append == self.commit.append, "3.1-15", "another append")
                    self.verify(frame)
                    at = end
            return None
        except Broken as e:
            if self.commit is None:
                at, end = t.commit_off, t.end
            if t.seq > 1 and not e.version and self.zero_sector(at, end):
                self.faults = before
                return f"{e} at {at}"
            if self.commit is None:
                self.faults += self.copies(t.end, fr.trailer_numbers(t))
            self.fault(at, f"newest commit {t.seq}: {e}")
            return None

    def copies(self, end, numbers):
        """7.3-7: what is wrong with the trailers of the commit that ends at `end`; both must say
        `numbers`."""
        out = []
        for copy in (0, 1):
            at = end - 128 + 64 * copy
            try:
                t = self.trailer_at(at, copy)
                need(fr.trailer_numbers(t) == numbers, "7.3-6",
                     "trailer and commit differ")
            except Broken as e:
                out.append((at, None, f"7.3-7 trailer {copy}: {e}"))
        return out

    def zero_sector(self, at, end):
        """Is a sector of the frame all zero, or behind the end of the file?"""
        if end > len(self.data):
            return True
        while at < end:
            stop = min(at // SECTOR * SECTOR + SECTOR, end)
            if not any(self.data[at:stop]):
                return True
            at = stop
        return False

    def verify(self, frame):
        """Sums of a frame of an append, its blocks included."""
        p = fr.payload(self.data, frame)
        if frame.type == fr.GROUP:
            for b in fr.group(p, frame).directory:
                fr.block_sum(self.data, frame, b)
        if frame.type == fr.FILTER:
            fr.filter_blocks(p)
        self.padding(frame)

    def name_tail(self, end, unclear):
        """9-6: a tail is named, whatever it is. `unclear`: (why, rows) when it is one of 9-5."""
        why, rows = unclear or ("", None)
        self.fault(end, f"9-6 tail of {len(self.data) - end} bytes" + (f": {why}" if why else ""),
                   rows)

    # ---- 9-8 to 9-10 ----------------------------------------------------------------------------

    def commit_at(self, off, end=None):
        frame = fr.frame_head(self.data, off, self.salt, end)
        need(frame.type == fr.COMMIT, "9-8", "no COMMIT")
        c = fr.commit(fr.payload(self.data, frame), off)
        c.append = frame.append
        if off not in self.seen:
            self.seen.add(off)
            self.faults += self.copies(frame.end, fr.commit_numbers(c, frame))
        return frame, c

    def index_at(self, off, size):
        frame = fr.frame_head(self.data, off, self.salt)
        need(frame.type == fr.INDEX and frame.span == size, "8.2-2", "no INDEX of that span")
        x = fr.index(fr.payload(self.data, frame), off)
        x.append = frame.append
        self.padding(frame)
        return x

    def collect(self):
        at = self.newest.commit_off
        try:
            if self.commit is None:
                raise Broken("9-9", "newest commit is damaged")
            found, at = [self.commit], self.commit.off
            while len(found) < self.commit.since_index and found[-1].prev_off:
                at = found[-1].prev_off
                found.append(self.follow(found[-1]))
            if self.commit.index_off:
                at = self.commit.index_off
                found += self.tree(found[-1])
            self.commits = found[::-1]
            for before, c in zip(self.commits, self.commits[1:]):
                at = c.off
                continues(before, c)
            need([c.seq for c in self.commits] == list(range(1, self.commit.seq + 1)), "9-8",
                 "commits are missing")
        except Broken as e:
            if self.commit is not None:
                self.fault(at, e)
            self.groups = None
        else:
            self.groups = self.named_groups()
            self.named_others()
        if self.groups is None:
            self.commits = []
            self.groups = self.walk()
        self.count(self.commit.rows_total if self.commit else self.newest.rows_total)

    def follow(self, c):
        frame, before = self.commit_at(c.prev_off, c.first_group)
        need(frame.span == c.prev_len, "7.1-12", "span of the commit before")
        continues(before, c)
        need(before.index_off == c.index_off and before.since_index == c.since_index - 1, "7.1-13",
             "the commit before counts from another INDEX")
        return before

    def tree(self, oldest):
        """All commits that the INDEX in force folds, newest first; `oldest` comes behind them."""
        x = self.index_at(self.commit.index_off, self.commit.index_len)
        need(x.append == oldest.append, "3.1-15", "INDEX of another append")
        need(self.commit.seq == x.seq + self.commit.since_index, "7.1-13", "seq of the INDEX")
        need((oldest.prev_off, oldest.prev_len) == (x.last_commit_off, x.last_commit_len), "7.1-13",
             "last commit of the INDEX")
        out = []
        for r in x.refs:
            out += self.branch(r)
        need(out[-1].off == x.last_commit_off and out[-1].rows_total == x.rows_total, "8.1-6",
             "last commit")
        continues(out[-1], oldest)
        return out[::-1]

    def branch(self, r):
        if r.level == 0:
            frame, c = self.commit_at(r.off)
            found = frame.span, c.rows, c.time_min, c.time_max
            need(found == (r.len, r.rows, r.time_min, r.time_max),
                 "8.3-2", "commit and reference differ")
            return [c]
        x = self.index_at(r.off, r.len)
        below = [b for b in x.refs if b.level == r.level - 1]
        need((sum(b.rows for b in below), sum(b.commits for b in below)) == (r.rows, r.commits),
             "8.3-1", "sums of an INDEX and its reference differ")
        return [c for b in below for c in self.branch(b)]

    def named_groups(self):
        """The groups that the commits name; None when a commit and its group contradict each
        other."""
        out = []
        for c in self.commits:
            row = c.rows_total - c.rows
            for ordinal, ref in enumerate(c.groups):
                try:
                    g = self.group_at(ref.off)
                    need(g.frame.append == c.append, "3.1-15", "group of another append")
                    need((g.frame.span, g.rows) == (ref.len, ref.rows), "7.2-7",
                         "group and commit differ")
                    need(g.first_row == row, "7.2-7", "first_row (5.1-10) and commit differ")
                    g.ref, g.commit, g.ordinal = ref, c, ordinal
                    out.append(g)
                except Broken as e:
                    self.fault(ref.off, e)
                    if e.rule == "7.2-7":
                        return None
                row += ref.rows
        return out

    def named_others(self):
        """FILTER and ROLLUP frames, which rows do not need: damage to them is told all the same."""
        for c in self.commits:
            for off in sorted({f.off for f in c.filters} | {r.off for r in c.rollups}):
                try:
                    self.verify(fr.frame_head(self.data, off, self.salt))
                except Broken as e:
                    self.fault(off, e)

    def group_at(self, off):
        frame = fr.frame_head(self.data, off, self.salt)
        need(frame.type == fr.GROUP, "7.2-7", "no GROUP")
        g = fr.group(fr.payload(self.data, frame), frame)
        need(g.schema_off < off, "5.1-9", "schema_off behind the group")
        self.padding(frame)
        g.frame, g.off, g.ref, g.commit = frame, off, None, None
        return g

    def walk(self):
        """9-9: every frame of the log, as far as frames can be found."""
        out, at, end, before = [], self.log, self.newest.end, 0
        while at < end:
            try:
                frame = fr.frame_head(self.data, at, self.salt, end)
            except Broken as e:
                self.fault(at, e)
                at = self.resync(at, end)
                continue
            try:
                self.same_append(frame, end)
                if frame.type == fr.GROUP:
                    out.append(self.group_at(at))
                elif frame.type == fr.COMMIT:
                    self.commits.append(self.commit_at(at, end)[1])
                else:
                    self.verify(frame)
                    if frame.type == fr.SCHEMA:
                        fr.schema(fr.payload(self.data, frame))
                        self.schemas.append(at)
            except Broken as e:
                self.fault(at, e)
                if not e.version:
                    at = self.resync(at, end)
                    continue
                if frame.type == fr.COMMIT:
                    del out[before:]
            if frame.type == fr.COMMIT:
                before = len(out)
            at = frame.end
        return out

    def same_append(self, frame, end):
        """3.1-15: is the frame of the append that its COMMIT ends, as far as that can be read?
        3.1-16: does it reach over what came later?"""
        if frame.type == fr.COMMIT:
            return
        c, start, stop = self.ahead
        if not start <= frame.off < stop:
            c, stop = self.next_commit(frame.off, end)
            self.ahead = c, frame.off, stop
        for place in ([c.prev_off + c.prev_len] if c else []) + ([self.newest.commit_off]
                                                                 if self.newest else []):
            need(not frame.off < place < frame.end, "3.1-16",
                 "frame reaches over what was written behind it")
        need(not c or c.prev_off + c.prev_len > frame.off or c.append == frame.append, "3.1-15",
             "frame of another append than its COMMIT")

    def next_commit(self, at, end):
        while at < end:
            try:
                frame = fr.frame_head(self.data, at, self.salt, end)
            except Broken:
                at = self.resync(at, end)
                continue
            if frame.type == fr.COMMIT:
                try:
                    c = fr.commit(fr.payload(self.data, frame), at)
                except Broken:
                    return None, at + 8
                c.append = frame.append
                return c, at + 8
            at = frame.end
        return None, end

    def resync(self, at, end):
        """The next place with the head of a frame."""
        at += 8
        while at < end and not self.sound_head(at, end):
            at += 8
        return at

    def sound_head(self, at, end):
        if self.data[at:at + 4] != fr.MAGIC:
            return False
        try:
            fr.frame_head(self.data, at, self.salt, end)
        except Broken as e:
            return e.version
        return True

    def count(self, total):
        """9-10: name the rows that no group brings."""
        row, at = 0, self.log
        for g in self.groups:
            if g.first_row < row:
                self.fault(g.off, "5.1-10 first_row")
            if g.first_row > row:
                self.fault(at, f"9-10 rows {row} to {g.first_row - 1} are lost", g.first_row - row)
            row, at = max(row, g.first_row + g.rows), g.frame.end
        if row < total:
            lost = total - row
            self.fault(at, f"9-10 rows {row} to {row + lost - 1} are lost", lost)

    # ---- schemas --------------------------------------------------------------------------------

    def schema_in_force(self):
        """The text that rows are shown through (9-8): of the newest commit's schema, or of the last
        sound one."""
        named = self.commit.schema_off if self.commit else None
        known = sorted({g.schema_off for g in self.groups} | set(self.schemas), reverse=True)
        for off in ([] if named is None else [named]) + known:
            try:
                return self.schema(off)
            except Broken as e:
                self.fault(off, e)
        return self.head.schema

    def schema(self, off):
        if off == 0:
            return self.head.schema
        try:
            frame = fr.frame_head(self.data, off, self.salt)
            need(frame.type == fr.SCHEMA, "5.1-9", "no SCHEMA")
            self.same_append(frame, self.newest.end)
            text = fr.schema(fr.payload(self.data, frame))
            self.padding(frame)
            return text
        except Broken as e:
            raise Broken("5.1-9", f"SCHEMA at {off}: {e}", e.version) from e


def continues(before, c):
    need(c.seq == before.seq + 1 and c.rows_total == before.rows_total + c.rows and
         c.prev_hash == before.hash and c.prev_off == before.off, "7.1-12",
         "does not continue the commit before")
