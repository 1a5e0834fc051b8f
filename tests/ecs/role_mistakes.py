"""Mistakes in who may do what, and in what the base stack is made with."""

from __future__ import annotations

from tests.ecs.mutations import (
    Mutation,
    add,
    base,
    drop,
    imported,
    log_policy,
    parameter,
    put,
    service,
    undeclare,
)

MISTAKES: tuple[Mutation, ...] = (
    service("all secrets", put("START/3/Resource", "*")),
    service(
        "secrets by a wildcard",
        put(
            "START/3/Resource",
            {"Fn::Sub": "arn:aws:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"},
        ),
    ),
    service("all repositories", put("START/1/Resource", "*")),
    service("all log actions", put("START/2/Action", "logs:*")),
    service("a secret that cannot be read", drop("START/3/Resource/1")),
    service(
        "policy of others",
        put(
            "ExecutionRole/ManagedPolicyArns",
            ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
        ),
    ),
    service(
        "task may read other secrets",
        add(
            "TaskRole/Policies/0/PolicyDocument/Statement",
            {
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": imported("TailscaleSecretArn"),
            },
        ),
    ),
    service(
        "task may read every secret",
        put("TaskRole/Policies/0/PolicyDocument/Statement/1/Fn::If/1/Resource", "*"),
    ),
    service(
        "task may not read its certificate",
        drop("TaskRole/Policies/0/PolicyDocument/Statement/1"),
    ),
    service(
        "task may change its certificate",
        put(
            "TaskRole/Policies/0/PolicyDocument/Statement/1/Fn::If/1/Action",
            ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        ),
    ),
    service(
        "certificate read where there is none",
        put(
            "TaskRole/Policies/0/PolicyDocument/Statement/1",
            {
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": imported("TlsSecretArn"),
            },
        ),
    ),
    service(
        "certificate also read by who starts the task",
        add("START/3/Resource", imported("TlsSecretArn")),
    ),
    service("roles exchanged", put("TaskDefinition/TaskRoleArn", {"Fn::GetAtt": ["ExecutionRole", "Arn"]})),
    service("role for tasks of others", drop("TaskRole/AssumeRolePolicyDocument/Statement/0/Condition")),
    service(
        "role for everybody", put("TaskRole/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"})
    ),
    service(
        "pusher may put all secrets",
        put("CertificatePusherPolicy/PolicyDocument/Statement/0/Resource", "*"),
    ),
    service(
        "pusher may restart the service",
        add(
            "CertificatePusherPolicy/PolicyDocument/Statement",
            {"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": {"Ref": "Service"}},
        ),
    ),
    service("rules of others in the log", log_policy('"ArnEquals"', '"ArnLike"')),
    service(
        "events by an account that is not named",
        log_policy("aws:SourceArn", "aws:SourceAccount"),
    ),
    service("events in all logs", log_policy('"Resource":"${Log}"', '"Resource":"*"')),
    service("events that may not open a stream", log_policy("logs:CreateLogStream", "logs:CreateLogGroup")),
    base("chat function called by others", drop("ChatPermission/SourceArn")),
    base("images not scanned", put("Repository/ImageScanningConfiguration/ScanOnPush", False)),
    base("tags that move", put("Repository/ImageTagMutability", "MUTABLE")),
    base("short seal key", put("SealKeySecret/GenerateSecretString/PasswordLength", 8)),
    base("domains under a made name", drop("DomainsParameter/Name")),
    base("import that nobody exports", undeclare("Outputs", "AlarmTopicArn")),
    base("parameter in English only", parameter("AlertEmail", Description="Where alarms are sent.")),
    service("parameter of any form", undeclare("Parameters", "HomeAddress", "AllowedPattern")),
    service(
        "parameter not in the console's groups",
        undeclare("Metadata", "AWS::CloudFormation::Interface", "ParameterGroups", 0),
    ),
)
