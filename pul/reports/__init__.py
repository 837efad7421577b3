"""What is read afterwards: reports, findings, what differs between runs, the doctor."""
