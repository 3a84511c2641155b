"""The study's checkpoints, made up here as its code saves them."""

import pickle

import pytest
import torch

from sparsenn_book.studies.l1_path.checkpoints import rescored
from sparsenn_book.studies.l1_path.experiments import holding
from sparsenn_core.errors import InputError
from sparsenn_core.networks import literal_teacher, student


def state(network):
    return {f"layers.{i}.weight": p.detach().float() for i, p in enumerate(network.parameters())}


def saved(folder, teacher, learner, names=("baselineCNN_tanh", "fcn_128_128_tanh"), **more):
    path = folder / f"{names[0]}__{names[1]}.pth"
    found = {
        "teacher_model_state_dict": state(teacher),
        "student_model_state_dict": state(learner),
        "teacher_model_name": names[0],
        "student_model_name": names[1],
        "l1_norm": 1e-5,
        "config": {"lr": 0.01},
    }
    torch.save(found | more, path)
    return path


def test_perfect_and_lost_students_and_a_wrong_teacher_are_told_apart(tmp_path):
    teacher = literal_teacher("baseline", "tanh")
    perfect = holding(teacher, "fcn_128_128", "tanh")
    lost = student("multi_channel", "tanh", 1e-6, torch.Generator().manual_seed(0))
    wrong = student("baseline", "tanh", 1.0, torch.Generator().manual_seed(1)).requires_grad_(False)
    paths = [
        saved(tmp_path, teacher, perfect),
        saved(tmp_path, teacher, lost, ("baselineCNN_tanh", "multiChannelCNN_tanh")),
        saved(tmp_path, wrong, wrong, ("baselineCNN_tanh", "baselineCNN_tanh")),
    ]
    rows = rescored(paths, test_samples=2000)
    assert rows["teacher_is_literal"].tolist() == [True, True, False]
    assert rows["outcome"].tolist() == ["recovered", "collapsed", "recovered"]
    assert rows.loc[0, ["kept_1_0.01", "kept_2_0.01", "kept_3_0.01"]].tolist() == [12, 4, 2]
    assert rows.loc[0, "reference_distance"] == pytest.approx(8.7024, abs=1e-4)
    assert rows.loc[0, "r2"] == pytest.approx(1.0, abs=1e-6)


def test_split_filters_are_read_as_the_five_vectors_they_are(tmp_path):
    teacher = literal_teacher("split_filter", "relu")
    five = [row[None, None] for p in teacher.parameters() for row in p.detach().float()]
    states = {f"f{i}": w for i, w in enumerate(five)}
    learner = holding(teacher, "multi_channel", "relu")
    path = saved(
        tmp_path, teacher, learner, ("splitFilterCNN_relu", "multiChannelCNN_relu"), teacher_model_state_dict=states
    )
    row = rescored([path], test_samples=2000).iloc[0]
    assert (row["teacher"], row["teacher_is_literal"], row["outcome"]) == ("split_filter", True, "recovered")


def test_what_is_no_such_checkpoint_is_refused_in_a_line_that_names_the_file(tmp_path):
    teacher = literal_teacher("baseline", "tanh")
    good = saved(tmp_path, teacher, holding(teacher, "fcn_256_32", "tanh"))
    other = torch.nn.Sequential(torch.nn.Linear(12, 5, bias=False))
    cases = {
        "no such file": tmp_path / "nothing.pth",
        "no student of the study": saved(tmp_path, teacher, other, ("baselineCNN_tanh", "fcn_5_tanh")),
        "no teacher of the study": saved(tmp_path, other, other, ("x_tanh", "fcn_5_tanh")),
        "does not end in one of": saved(tmp_path, teacher, teacher, ("baselineCNN_tanh", "baselineCNN_swish")),
    }
    plain = tmp_path / "weights.pth"
    torch.save({"a": torch.ones(2)}, plain)
    cases["no checkpoint of the study"] = plain
    cruel = tmp_path / "cruel.pth"
    cruel.write_bytes(pickle.dumps(pytest.raises))
    cases["no file of plain tensors"] = cruel
    for message, path in cases.items():
        with pytest.raises(InputError, match=message) as caught:
            rescored([good, path])
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
