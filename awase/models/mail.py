"""Mails kept by the demo's built-in mailbox instead of leaving the machine."""

from django.db import models


class SentMail(models.Model):
    sent_at = models.DateTimeField(auto_now_add=True)
    sender = models.CharField(max_length=300)
    recipients = models.CharField(max_length=1000)
    reply_to = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    attachment = models.TextField(blank=True)  # the calendar part

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.subject
