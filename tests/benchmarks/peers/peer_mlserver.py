"""The model behind MLServer: in its process, adaptive batches of up to 64 within 2 ms."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Digits(MLModel):
    """Answers batches."""

    async def load(self) -> bool:
        """Load the model."""
        from model import predict

        self.model = predict
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Return the probabilities."""
        x = NumpyCodec.decode_input(payload.inputs[0])
        y = self.model(np.asarray(x, np.float32))
        outputs = [NumpyCodec.encode_output("predictions", y)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
