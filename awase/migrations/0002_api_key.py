# The keys of the API.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('awase', '0001_start'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=16, unique=True)),
                ('digest', models.CharField(max_length=64)),
                ('name', models.CharField(blank=True, max_length=80)),
                ('scopes', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('last_used', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to='awase.member')),
            ],
        ),
    ]
