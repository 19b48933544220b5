"""The model behind mosec: HTTP in Rust, one worker process, batches of up to 64 within 2 ms."""

import numpy as np
from mosec import Server, Worker


class Digits(Worker):
    """Answers batches."""

    def __init__(self):
        """Load the model in the worker's process."""
        from model import predict

        self.predict = predict

    def forward(self, data: list) -> list:
        """Return the answer of each request."""
        y = self.predict(np.array([one["instances"][0] for one in data], np.float32))
        return [{"predictions": [row]} for row in y.tolist()]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Digits, num=1, max_batch_size=64, max_wait_time=2)
    server.run()
