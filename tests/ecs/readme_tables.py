"""The tables of ecs/README.md that follow from the templates: written here, compared in test_ecs_readme.py.

``python -m tests.ecs.readme_tables`` prints them.
"""

from __future__ import annotations

from tests.ecs.template_reading import BASE, SERVICE, Json, read


def parameters_table(template: Json) -> str:
    """The parameters of a template: name, default, both descriptions."""
    lines = ["| parameter | default | meaning | 意味 |", "|---|---|---|---|"]
    for name, parameter in template["Parameters"].items():
        english, _, japanese = parameter["Description"].partition(" / ")
        default = "needed / 必須" if "Default" not in parameter else f"`{parameter['Default']}`"
        lines.append(
            f"| `{name}` | {'empty / 空' if default == '``' else default} | {english} | {japanese} |"
        )
    return "\n".join(lines)


def alarms_table(*templates: Json) -> str:
    """The alarms: name, both descriptions."""
    lines = ["| alarm | meaning | 意味 |", "|---|---|---|"]
    for template in templates:
        for resource in template["Resources"].values():
            if resource["Type"] != "AWS::CloudWatch::Alarm":
                continue
            properties = resource["Properties"]
            name = properties["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
            text = properties["AlarmDescription"]
            english, _, japanese = (text["Fn::Sub"] if isinstance(text, dict) else text).partition(" / ")
            lines.append(f"| `{name}` | {english} | {japanese} |".replace("${NoMailHours}", "NoMailHours"))
    return "\n".join(lines)


if __name__ == "__main__":
    base, service = read(BASE), read(SERVICE)
    print(parameters_table(base), parameters_table(service), alarms_table(service, base), sep="\n\n")
