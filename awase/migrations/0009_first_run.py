from django.db import migrations, models


def name_the_owner(apps, schema_editor):
    """The first account of an instance that runs already owns it."""
    users = apps.get_model("awase", "User").objects
    first = users.order_by("pk").first()
    if first is not None:
        users.filter(pk=first.pk).update(owns_instance=True)


class Migration(migrations.Migration):
    dependencies = [("awase", "0008_page_design_and_form")]

    operations = [
        migrations.AddField("member", "first_run", models.CharField(blank=True, max_length=10)),
        migrations.AddField("user", "owns_instance", models.BooleanField(default=None, null=True, unique=True)),
        migrations.RunPython(name_the_owner, migrations.RunPython.noop),
    ]
