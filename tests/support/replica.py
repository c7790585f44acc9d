"""A PostgreSQL server that follows another by streaming replication."""

from __future__ import annotations

from typing_extensions import override

from tests.support.postgres import PostgresServer


class ReplicaServer(PostgresServer):
    """Made from a running server with ``pg_basebackup``, which a server's own version has to
    bring; follows that server until `close`.
    """

    def __init__(self, primary: PostgresServer) -> None:
        self._primary = primary
        super().__init__(primary.installation)

    @override
    def _initialise(self) -> None:
        options = ["-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", self._primary.dsn()]
        if not self._run("pg_basebackup", "-D", str(self._data), *options):
            raise RuntimeError(f"pg_basebackup failed:\n{self.log()}")
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"port = {self.port}\n")

    def hold(self) -> None:
        """Replay nothing more; what the primary writes waits."""
        self.execute("SELECT pg_wal_replay_pause()")

    def follow(self) -> None:
        """Go on replaying."""
        self.execute("SELECT pg_wal_replay_resume()")

    def promote(self) -> None:
        """Become a server of its own, which follows nobody."""
        self.execute("SELECT pg_promote()")
