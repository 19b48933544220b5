"""The model behind BentoML: one worker, adaptive batches of up to 64."""

import bentoml
import numpy as np


@bentoml.service(workers=1, traffic={"timeout": 60})
class Digits:
    """Answers batches."""

    def __init__(self):
        """Load the model in the worker's process."""
        from model import predict

        self.model = predict

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=10_000)
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """Return the probabilities."""
        return self.model(np.asarray(instances, np.float32))
