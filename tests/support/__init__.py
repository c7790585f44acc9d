"""What the tests stand on besides pytest: real servers, started and stopped here."""
