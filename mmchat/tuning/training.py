"""Fine-tune a sentence encoder with the trainer of sentence-transformers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmchat.errors import InputError, MissingExtra, ModelError
from mmchat.tuning.base import Progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SETUP = "setup.json"
_STATE = "trainer_state.json"
_CHECKPOINTS = 10


@dataclass(frozen=True, slots=True)
class Training:
    """How a text encoder is trained. The defaults are what is usual for models of this size."""

    epochs: int = 3
    """Times that every pair is seen."""
    seed: int = 0
    """What chance starts from: the split, the order of the pairs, and what is dropped out."""
    learning_rate: float = 5e-5
    """Of AdamW; it rises for a tenth of the steps, and falls to 0."""
    batch_size: int = 32
    """Pairs at once: each question is to find its passage among as many."""
    share: float = 0.5
    """The share of the layers that is trained, from the top. The table of the tokens never is."""
    scale: float = 50.0
    """By which cosines are multiplied before the softmax."""

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate", "batch_size", "share"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} = {getattr(self, name)}: expected more than 0.")
        if self.share > 1:
            raise InputError(f"share = {self.share}: expected 1 or less.")


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A question and a passage that answers it."""

    question: str
    passage: str


def require_trainer() -> None:
    """Refuse to begin where the trainer lacks its libraries.

    Raises:
        MissingExtra: accelerate or datasets is not installed.
    """
    from importlib.util import find_spec

    missing = [name for name in ("accelerate", "datasets") if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"Tuning a text encoder needs {' and '.join(missing)}, expected to be installed. "
            f"Install what is missing with 'pip install {' '.join(missing)}' (mmchat's extra 'tune')."
        )


@dataclass(frozen=True, slots=True)
class Base:
    """The model that is trained."""

    load: Callable[[], SentenceTransformer]
    """Gives it, in float32."""
    fingerprint: str
    prompts: tuple[str, str]
    """What stands before a question, and before a passage."""


def train(
    base: Base,
    pairs: Sequence[TrainingPair],
    out: Path,
    *,
    work: Path,
    training: Training,
    progress: Progress,
) -> None:
    """Train a model on pairs, and save it.

    Each question is to find its passage among those of the batch (InfoNCE; Henderson et al., "Efficient
    natural language response suggestion for smart reply", 2017). Interrupted, it goes on from its last
    checkpoint when it is called again with the same pairs, base and settings. On one machine, with as many
    threads, the same seed gives the same weights.

    Args:
        base: the model.
        pairs: what to train on.
        out: a folder of sentence-transformers, which is written.
        work: a folder for the checkpoints, a gigabyte or two; it is kept until the caller removes it.
        training: how.
        progress: is told of every step.

    Raises:
        MissingExtra: accelerate or datasets is not installed.
        ModelError: the model cannot be trained.
    """
    require_trainer()
    _same_or_anew(work, {"base": base.fingerprint, "pairs": _mark(pairs), **asdict(training)})
    query, document = base.prompts
    with _quietly():
        model = base.load()
        _freeze(model, training.share)
        trainer = _trainer(
            model,
            {
                "question": [query + pair.question for pair in pairs],
                "passage": [document + pair.passage for pair in pairs],
            },
            work,
            training,
            progress,
        )
        checkpoint = _last_checkpoint(work)
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        finally:
            progress.finish()
        # Some folders leave it to their name to tell what the prompts are.
        model.prompts = {"query": query, "document": document}
        _save(model, out)


def _trainer(
    model: SentenceTransformer,
    columns: dict[str, list[str]],
    work: Path,
    training: Training,
    progress: Progress,
) -> Any:
    # Loading the model has repaired what torchvision lacks, which these import.
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from transformers.trainer_callback import PrinterCallback

    class Trainer(SentenceTransformerTrainer):  # type: ignore[misc]  # it has no types
        """Without the model card, for which examples are computed that nobody reads."""

        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            pass

    trainer = Trainer(
        model,
        _arguments(model, len(columns["question"]), work, training),
        train_dataset=Dataset.from_dict(columns),
        loss=MultipleNegativesRankingLoss(model, scale=training.scale),
        callbacks=[_reporting(progress)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(model: SentenceTransformer, pairs: int, work: Path, training: Training) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.base.training_args import BatchSamplers

    steps = max(1, training.epochs * -(-pairs // training.batch_size))
    return SentenceTransformerTrainingArguments(
        output_dir=str(work),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        warmup_steps=max(1, steps // 10),
        # A passage that answers two questions of a batch would be held against one of them.
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        seed=training.seed,
        data_seed=training.seed,
        use_cpu=model.device.type == "cpu",
        dataloader_pin_memory=model.device.type == "cuda",
        save_strategy="steps",
        save_steps=max(1, steps // _CHECKPOINTS),
        save_total_limit=1,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _freeze(model: SentenceTransformer, share: float) -> None:
    """Leave the table of the tokens and the lower layers as they are.

    A hundred languages share them, of which the pairs show a few words; and what is not trained costs no
    gradients.
    """
    transformer: Any = model.transformers_model
    layers = getattr(getattr(transformer, "encoder", None), "layer", None)
    embeddings = getattr(transformer, "embeddings", None)
    if layers is None or embeddings is None:
        raise ModelError(
            f"The model is a {type(transformer).__name__}; expected a kin of BERT, with embeddings and "
            "encoder.layer. Tune multilingual-e5-small, or another model of that kind."
        )
    # It takes no part in the vectors, and folders that lack its weights would get random ones.
    transformer.pooler = None
    frozen = [embeddings, *layers[: len(layers) - max(1, round(share * len(layers)))]]
    for part in frozen:
        part.requires_grad_(False)


def _reporting(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Reporting(TrainerCallback):
        """Hands the trainer's steps on."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            progress.start("Training", state.max_steps)
            progress.advance(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            progress.advance(1)

    return Reporting()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers and datasets from writing bars and notes of their own to the terminal."""
    import datasets.utils.logging
    import transformers.utils.logging

    logs: Any = transformers.utils.logging
    shown, level = logs.is_progress_bar_enabled(), logs.get_verbosity()
    drawn = datasets.utils.logging.is_progress_bar_enabled()
    logs.disable_progress_bar()
    logs.set_verbosity_error()
    datasets.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        logs.set_verbosity(level)
        if shown:
            logs.enable_progress_bar()
        if drawn:
            datasets.utils.logging.enable_progress_bar()


def _save(model: SentenceTransformer, out: Path) -> None:
    """Save in 16 bits, as the base model of the catalogue is; rounding moves a cosine by 1e-7."""
    import torch

    model.to(torch.float16).save(str(out), create_model_card=False, safe_serialization=True)


def _same_or_anew(work: Path, setup: dict[str, Any]) -> None:
    """Keep the checkpoints of the same training; those of another one are removed."""
    path = work / _SETUP
    with contextlib.suppress(OSError, ValueError):
        if json.loads(path.read_bytes()) == setup:
            return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    path.write_text(json.dumps(setup, indent=2), encoding="utf-8")


def _last_checkpoint(work: Path) -> Path | None:
    """Return the newest checkpoint that is whole: the trainer writes its state last."""
    whole = [path.parent for path in work.glob(f"checkpoint-*/{_STATE}") if path.stat().st_size]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _mark(pairs: Sequence[TrainingPair]) -> str:
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(f"{pair.question}\0{pair.passage}\0".encode())
    return digest.hexdigest()[:16]
