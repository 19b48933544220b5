"""The model behind LitServe: one worker process, batches of up to 64 within 2 ms."""

import sys

import litserve
import numpy as np


class Digits(litserve.LitAPI):
    """Answers batches."""

    def setup(self, device):
        """Load the model in the worker's process."""
        from model import predict

        self.model = predict

    def decode_request(self, request):
        """Return the image of a request."""
        return np.array(request["instances"][0], np.float32)

    def batch(self, inputs):
        """Return one array."""
        return np.stack(inputs)

    def predict(self, x):
        """Return the probabilities."""
        return self.model(x)

    def unbatch(self, output):
        """Return a list with each request's part."""
        return list(output)

    def encode_response(self, output):
        """Return an answer."""
        return {"predictions": [output.tolist()]}


if __name__ == "__main__":
    api = Digits(max_batch_size=64, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    port = int(sys.argv[1])
    server.run(host="127.0.0.1", port=port, log_level="error", generate_client_file=False)
