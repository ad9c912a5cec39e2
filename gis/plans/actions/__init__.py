"""What a planner can do to a draft: one file an action.

Each is a pure function of a draft that gives a `gis.plans.draft.Delta`, which can be applied, undone and written down.
One that would break a rule of structure raises `PlanRuleBroken` and gives nothing, so that a failed action is no step.
"""
