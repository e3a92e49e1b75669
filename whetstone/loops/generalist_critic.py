"""One critic trained on grades with reasons and on verdicts over pairs, then used as a judge and as a reward."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from whetstone.audits.evaluating import named
from whetstone.core.errors import ConfigError
from whetstone.core.flow import Prefixed, Runner
from whetstone.core.registry import method
from whetstone.core.types import Finding, Round, Task
from whetstone.loops._judge_course import Course, Protocol, nothing
from whetstone.loops._judge_data import agreed_in_both_orders, demonstrations, kept
from whetstone.loops._judge_policy import Downstream
from whetstone.loops._judging_items import Source
from whetstone.loops._round import Turn
from whetstone.loops.objectives import Demonstration
from whetstone.loops.trainable import Trainable

PROTOCOLS: tuple[Protocol, ...] = ("critique", "graded", "pairwise")


@method(
    "loop",
    papers=("LLaVA-Critic: Learning to Evaluate Multimodal Models",),
    checked="tests/loops/test_generalist_critic.py::test_one_critic_learns_grades_and_pairs_and_teaches_a_policy",
)
def generalist_critic(
    model: Trainable,
    task: Task,
    runner: Runner,
    *,
    protocols: str = "critique,graded,pairwise",
    source: Source = "planted",
    rounds: int = 1,
    questions: int = 300,
    policy: int = 0,
    samples: int = 4,
    beta: float = 0.1,
    rehearse: float = 0.25,
    lr: float | None = None,
    epochs: int = 1,
    tokens_per_batch: int = 2048,
    monitor: int = 64,
    seed: int = 0,
) -> Iterator[Round]:
    """Train one critic on pointwise and pairwise judgments with reasons; let it judge, and reward a policy by DPO.

    Args:
        protocols: what is mixed, in equal numbers of questions: "critique" (right or wrong, after reasons), "graded"
            (1 to 5 by a criterion, after reasons), "pairwise" (which is better, after reasons on both).
        source: where the answers come from; see `loops/_judging_items.py`. "rows" takes graded candidates of a file,
            whose questions may hold images: every prompt shows them.
        rounds, questions: rounds, and questions a round for each protocol.
        policy: questions that the untrained model answers for the DPO that the critic rewards, after the last round;
            0 leaves it out. `samples` a question, pulled to the reference by `beta`.
        rehearse, monitor: see `loops/_judge_course.py`, `Course`.
        lr, epochs, tokens_per_batch: of training.

    The reasons are the model's own critiques that lead to the true label.

    Yields:
        A round with the held-out findings of each protocol, `PROTOCOL/accuracy`, `PROTOCOL/gain` over the untrained
        model, and so on; after the last one with `policy/critic` and `policy/untrained`: the share of right samples of
        a policy taught by the trained critic and by the untrained one, their `gain` over `policy/before`, paired, and
        the `precision` of the pairs that each decided.
    """
    chosen = named(protocols, PROTOCOLS, "protocol")
    if not chosen or (policy and "pairwise" not in chosen):
        raise ConfigError(f"protocols are {', '.join(PROTOCOLS)}; name one or more, and pairwise for a policy")
    courses = {
        name: Course(
            model,
            task,
            protocol=name,
            source=source,
            monitor=monitor,
            rehearse=rehearse,
            lr=lr,
            epochs=epochs,
            tokens_per_batch=tokens_per_batch,
            seed=seed,
        )
        for name in chosen
    }
    start = model.state()
    for index in range(1, rounds + 1):
        turn, rng, metrics = Turn(index, runner), Random(f"{seed}/{index}"), dict[str, Finding]()
        data: list[Demonstration] = []
        seen = 0
        for name, course in courses.items():
            phases = part_of(turn, name)
            if index == 1:
                metrics |= {f"{name}/{key}": found for key, found in course.begin(phases).items()}
            items = course.items(phases, "train", "train", questions, seed * 1000 + index)
            if index == 1 and name == chosen[-1]:
                course.rehearse_with(phases, items)
            traces = agreed_in_both_orders(course.traces(phases, "judge", items))
            seen += len(traces)
            new = demonstrations(kept(traces))
            metrics[f"{name}/lessons"] = Finding(f"{name}/lessons", float(len(new)), None, len(items))
            data += new
        if not data:
            alarms = nothing("no critique of the model leads to a true label: nothing to imitate")
            yield turn.end(model, seen=seen, kept=0, metrics=metrics, alarms=alarms)
            return
        metrics |= courses[chosen[-1]].train(data, rng)
        for name, course in courses.items():
            metrics |= {f"{name}/{key}": found for key, found in course.look(part_of(turn, name)).items()}
        if policy and index == rounds:
            downstream = Downstream(start, policy, samples, beta=beta)
            metrics |= downstream.taught(turn, courses["pairwise"], {"critic": model.state(), "untrained": start})
        yield turn.end(model, seen=seen, kept=len(data), metrics=metrics)


def part_of(turn: Turn, name: str) -> Turn:
    """A turn whose phases have names of their own, and whose costs count for the whole turn."""
    return Turn(turn.index, Prefixed(turn, name))
